import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';
import { CATEGORY_KEY } from './category-key.js';
import { Categories, type CategoryPage, type TopCategory } from './categories.js';

@Controller('categories')
export class CategoriesController {
  constructor(private readonly categories: Categories) {}

  @Get('top')
  @Cached('category:*', { ttl: '10m', staleWhileRevalidate: '5m' })
  top(): Promise<TopCategory[]> {
    return this.categories.top(10);
  }

  @Get(':slug')
  @Cached(CATEGORY_KEY, { ttl: '10m', staleWhileRevalidate: '5m' })
  async page(@Param('slug') slug: string): Promise<CategoryPage> {
    const page = await this.categories.page(slug);
    if (page === undefined) throw new NotFoundException('There is no such category; /categories/top lists some.');
    return page;
  }
}
