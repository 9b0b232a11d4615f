import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Cached, CacheInvalidate } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { type Guide, type Invoice, Lessons, type Stock } from './lessons.js';

/** The lessons whose advice changes code, with the advice followed. `npm run traffic -- --apply` sends its visitors here. */
@Controller('lessons/followed')
export class FollowedController {
  constructor(private readonly lessons: Lessons) {}

  @Get('guides/:topic')
  @Cached('followed-guide:*', { ttl: '1m', ignore: ['query.ref'] })
  guide(@Param('topic') topic: string, @Query('ref') _ref: string): Promise<Guide> {
    return this.lessons.guide(topic);
  }

  @Get('invoices/:number')
  invoice(@Param('number', new PositiveInteger()) number: number): Promise<Invoice> {
    return this.lessons.invoice(number);
  }

  @Get('stock/:shelf')
  @Cached('followed-stock:{params.shelf}', { ttl: '10m' })
  stock(@Param('shelf', new PositiveInteger()) shelf: number): Promise<Stock> {
    return this.lessons.stock(shelf);
  }

  @Post('stock/:shelf')
  @HttpCode(204)
  @CacheInvalidate({ keys: ['followed-stock:{params.shelf}'] })
  sell(@Param('shelf', new PositiveInteger()) shelf: number): void {
    this.lessons.sell(shelf);
  }
}
