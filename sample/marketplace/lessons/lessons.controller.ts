import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Cached, CacheInvalidate } from 'nestjs-cache-observability';
import { PositiveInteger } from '../input/positive-integer.pipe.js';
import { type Guide, type Invoice, Lessons, type Price, type Stock } from './lessons.js';

/** Handlers with one fault each, for /cache/insights to find. */
@Controller('lessons')
export class LessonsController {
  constructor(private readonly lessons: Lessons) {}

  /** The fault: prices rarely change, and are kept for two seconds. */
  @Get('prices/:id')
  @Cached('lesson-price:{params.id}', { ttl: '2s' })
  price(@Param('id', new PositiveInteger()) id: number): Promise<Price> {
    return this.lessons.price(id);
  }

  /** The fault: `ref` says where the reader came from. It is in the key, and the guide is the same. */
  @Get('guides/:topic')
  @Cached('lesson-guide:*', { ttl: '1m' })
  guide(@Param('topic') topic: string, @Query('ref') _ref: string): Promise<Guide> {
    return this.lessons.guide(topic);
  }

  /** The fault: an invoice is read once, after the purchase. */
  @Get('invoices/:number')
  @Cached('lesson-invoice:{params.number}', { ttl: '30s' })
  invoice(@Param('number', new PositiveInteger()) number: number): Promise<Invoice> {
    return this.lessons.invoice(number);
  }

  @Get('stock/:shelf')
  @Cached('lesson-stock:{params.shelf}', { ttl: '10m' })
  stock(@Param('shelf', new PositiveInteger()) shelf: number): Promise<Stock> {
    return this.lessons.stock(shelf);
  }

  /** The fault: one shelf has changed, and all are invalidated. */
  @Post('stock/:shelf')
  @HttpCode(204)
  @CacheInvalidate({ patterns: ['lesson-stock:*'] })
  sell(@Param('shelf', new PositiveInteger()) shelf: number): void {
    this.lessons.sell(shelf);
  }
}
