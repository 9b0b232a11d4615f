import { Controller, Get, NotFoundException, Param } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { SELLER_KEY } from './seller-key.js';
import { Sellers, tagsOfStorefront, type LiveSeller, type Storefront } from './sellers.js';

@Controller('sellers')
export class SellersController {
  constructor(private readonly sellers: Sellers) {}

  @Get('live')
  @Cached('seller:*', { ttl: '30s', staleWhileRevalidate: '30s' })
  live(): Promise<LiveSeller[]> {
    return this.sellers.live();
  }

  /** Shows the stock of each product, so it has the tags of these products: a purchase of one invalidates it. */
  @Get(':id')
  @Cached(SELLER_KEY, { ttl: '5m', tags: tagsOfStorefront })
  async storefront(@Param('id', new PositiveInteger()) id: number): Promise<Storefront> {
    const storefront = await this.sellers.storefront(id);
    if (storefront === undefined) throw new NotFoundException(`There is no seller ${id}; /sellers/live lists some.`);
    return storefront;
  }
}
