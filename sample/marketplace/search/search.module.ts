import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { ProductSearch } from './product-search.js';
import { SearchController } from './search.controller.js';

@Module({
  imports: [DatabaseModule],
  controllers: [SearchController],
  providers: [ProductSearch],
  exports: [ProductSearch],
})
export class SearchModule {}
