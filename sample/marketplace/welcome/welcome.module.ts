import { Module } from '@nestjs/common';
import { DatabaseModule } from '../database/database.module.js';
import { WelcomeController } from './welcome.controller.js';

@Module({ imports: [DatabaseModule], controllers: [WelcomeController] })
export class WelcomeModule {}
