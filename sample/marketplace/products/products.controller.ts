import { Body, Controller, Get, NotFoundException, Param, Post, UseInterceptors } from '@nestjs/common';
import { Cached, CacheInvalidate } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { ProductPages, type ProductPage } from './product-pages.js';
import { QuantityPipe } from './quantity.pipe.js';
import { Purchases, type Receipt } from './purchases.js';
import { CountsViews } from './counts-views.interceptor.js';

@Controller('products')
export class ProductsController {
  constructor(
    private readonly pages: ProductPages,
    private readonly purchases: Purchases,
  ) {}

  /** The view is counted on hits too: the cache stands inside all other interceptors. */
  @Get(':id')
  @UseInterceptors(CountsViews)
  @Cached('product:{params.id}', { ttl: '10m', tags: ['product:{params.id}'] })
  async page(@Param('id', new PositiveInteger()) id: number): Promise<ProductPage> {
    const page = await this.pages.find(id);
    if (page === undefined) throw new NotFoundException(`There is no product ${id}.`);
    return page;
  }

  /** The stock has changed: by its tag, every page that shows it is loaded anew, the storefronts too. */
  @Post(':id/purchase')
  @CacheInvalidate({ keys: ['product:{params.id}'], tags: ['product:{params.id}'] })
  purchase(
    @Param('id', new PositiveInteger()) id: number,
    @Body('quantity', QuantityPipe) quantity: number,
  ): Promise<Receipt> {
    return this.purchases.buy(id, quantity);
  }
}
