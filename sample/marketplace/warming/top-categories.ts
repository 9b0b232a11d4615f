import { WarmingStrategy } from 'nestjs-cache-observability';
import { Categories } from '../categories/categories.js';
import { categoryKey } from '../categories/category-key.js';

/** The pages of the five categories that sell best. */
@WarmingStrategy({ name: 'top-categories', ttl: '10m', priority: 1 })
export class WarmsTopCategories implements WarmingStrategy {
  constructor(private readonly categories: Categories) {}

  async *entries() {
    for (const { slug } of await this.categories.top(5)) {
      yield { key: categoryKey(slug), load: () => this.categories.page(slug) };
    }
  }
}
