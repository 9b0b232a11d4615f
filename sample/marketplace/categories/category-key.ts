import { cacheKeyOf } from 'nestjs-cache-observability';

/** The whole key of one category's page: the handler fills it from the path, warming from the slug. */
export const CATEGORY_KEY = 'category:{params.slug}';

export const categoryKey = (slug: string): string => cacheKeyOf(CATEGORY_KEY, { params: { slug } });
