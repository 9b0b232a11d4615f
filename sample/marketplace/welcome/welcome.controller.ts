import { Controller, Get, Inject } from '@nestjs/common';
import { CATALOGUE } from '../database/database.module.js';
import type { Catalogue } from '../database/seed.js';
import { PLACES } from './welcome.js';

@Controller()
export class WelcomeController {
  constructor(@Inject(CATALOGUE) private readonly catalogue: Catalogue) {}

  /** How large the marketplace is and where to look; what drives traffic asks here first. */
  @Get()
  welcome() {
    const { products, sellers, categories } = this.catalogue;
    return { name: 'marketplace', catalogue: { products, sellers, categories }, places: PLACES };
  }
}
