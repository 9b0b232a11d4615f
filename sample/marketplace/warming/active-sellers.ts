import { WarmingStrategy } from 'nestjs-cache-observability';
import { sellerKey } from '../sellers/seller-key.js';
import { Sellers } from '../sellers/sellers.js';

/**
 * Warms the storefronts of the sellers who stream now. Entries with the key of a handler's template get that handler's tags, so a
 * purchase invalidates them.
 */
@WarmingStrategy({ name: 'active-sellers', ttl: '5m' })
export class WarmsActiveSellers implements WarmingStrategy {
  constructor(private readonly sellers: Sellers) {}

  async *entries() {
    for (const { id } of await this.sellers.live()) {
      const storefront = await this.sellers.storefront(id);
      if (storefront) yield { key: sellerKey(id), value: storefront };
    }
  }
}
