import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { CountsViews } from './counts-views.interceptor.js';
import { ProductPages } from './product-pages.js';
import { ProductsController } from './products.controller.js';
import { Purchases } from './purchases.js';
import { Recommendations } from './recommendations.js';
import { ViewJournal } from './view-journal.js';

@Module({
  imports: [DatabaseModule],
  controllers: [ProductsController],
  providers: [ProductPages, Recommendations, Purchases, ViewJournal, CountsViews],
})
export class ProductsModule {}
