import { WarmingStrategy } from 'nestjs-cache-observability';
import { ProductSearch } from '../search/product-search.js';
import { searchKey } from '../search/search-key.js';

/** The results of what most people search for, anew every five minutes. */
@WarmingStrategy({ name: 'trending-searches', cron: '0 */5 * * * *', ttl: '2m' })
export class WarmsTrendingSearches implements WarmingStrategy {
  constructor(private readonly search: ProductSearch) {}

  async *entries() {
    for (const { term } of await this.search.trending(20)) {
      yield { key: searchKey(term), load: () => this.search.find(term) };
    }
  }
}
