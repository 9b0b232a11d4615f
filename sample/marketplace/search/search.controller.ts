import { Controller, Get, Query } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { SearchTerm } from './search-term.pipe.js';
import { SEARCH_KEY } from './search-key.js';
import { ProductSearch, type SearchResult, type TrendingSearch } from './product-search.js';

@Controller('search')
export class SearchController {
  constructor(private readonly search: ProductSearch) {}

  @Get()
  @Cached(SEARCH_KEY, { ttl: '2m', staleWhileRevalidate: '1m' })
  find(@Query('q', SearchTerm) term: string): Promise<SearchResult> {
    return this.search.find(term);
  }

  @Get('trending')
  @Cached('search:*', { ttl: '1m', staleWhileRevalidate: '1m' })
  trending(@Query('limit', new PositiveInteger(10, 200)) limit: number): Promise<TrendingSearch[]> {
    return this.search.trending(limit);
  }
}
