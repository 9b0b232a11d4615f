import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { SellersController } from './sellers.controller.js';
import { Sellers } from './sellers.js';

@Module({ imports: [DatabaseModule], controllers: [SellersController], providers: [Sellers], exports: [Sellers] })
export class SellersModule {}
