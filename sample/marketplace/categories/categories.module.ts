import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { CategoriesController } from './categories.controller.js';
import { Categories } from './categories.js';

@Module({
  imports: [DatabaseModule],
  controllers: [CategoriesController],
  providers: [Categories],
  exports: [Categories],
})
export class CategoriesModule {}
