import { Controller, Get, NotFoundException, Query } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { DiscoverFeed, type FeedPage } from './discover-feed.js';

@Controller('feeds')
export class FeedsController {
  constructor(private readonly feed: DiscoverFeed) {}

  /** `warm` sends these requests through this very handler at start-up, so that their keys cannot drift from real ones. */
  @Get('discover')
  @Cached('feed:*', {
    ttl: '5m',
    staleWhileRevalidate: '1m',
    warm: [{}, { query: { page: '1' } }, { query: { page: '2' } }, { query: { page: '3' } }],
  })
  async discover(@Query('page', new PositiveInteger(1, 1000)) page: number): Promise<FeedPage> {
    const found = await this.feed.page(page);
    if (found === undefined) throw new NotFoundException(`The feed has no page ${page}.`);
    return found;
  }
}
