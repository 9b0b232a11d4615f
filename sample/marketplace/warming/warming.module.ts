import { Module } from '@nestjs/common';
import { CategoriesModule } from '../categories/categories.module.js';
import { SearchModule } from '../search/search.module.js';
import { SellersModule } from '../sellers/sellers.module.js';
import { WarmsActiveSellers } from './active-sellers.js';
import { WarmsTopCategories } from './top-categories.js';
import { WarmsTrendingSearches } from './trending-searches.js';

/** What start-up puts into the cache. The discover feed's first pages are named where the feed is: on its handler. */
@Module({
  imports: [SearchModule, CategoriesModule, SellersModule],
  providers: [WarmsTrendingSearches, WarmsTopCategories, WarmsActiveSellers],
})
export class WarmingModule {}
