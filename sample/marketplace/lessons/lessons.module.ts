import { Module } from '@nestjs/common';
import { FollowedController } from './followed.controller.js';
import { LessonsController } from './lessons.controller.js';
import { Lessons } from './lessons.js';

@Module({ controllers: [FollowedController, LessonsController], providers: [Lessons] })
export class LessonsModule {}
