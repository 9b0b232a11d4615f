/** The whole key of one seller's storefront: the handler fills it from the path, warming from the seller's number. */
export const SELLER_KEY = 'seller:{params.id}';

export const sellerKey = (id: number): string => SELLER_KEY.replace('{params.id}', () => String(id));
