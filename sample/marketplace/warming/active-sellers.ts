import { WarmingStrategy } from 'nestjs-cache-observability';
import { sellerKey } from '../sellers/seller-key.js';
import { Sellers } from '../sellers/sellers.js';

/** The storefronts of everybody who streams now. Their handler's template gives them its tags, so that a purchase reaches them. */
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
