import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { DiscoverFeed } from './discover-feed.js';
import { FeedsController } from './feeds.controller.js';

@Module({ imports: [DatabaseModule], controllers: [FeedsController], providers: [DiscoverFeed] })
export class FeedsModule {}
