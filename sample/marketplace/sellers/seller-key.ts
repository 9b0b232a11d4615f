import { cacheKeyOf } from 'nestjs-cache-observability';

/** The whole key of one seller's storefront: the handler fills it from the path, warming from the seller's number. */
export const SELLER_KEY = 'seller:{params.id}';

export const sellerKey = (id: number): string => cacheKeyOf(SELLER_KEY, { params: { id } });
