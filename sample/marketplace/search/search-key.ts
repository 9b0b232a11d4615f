import { cacheKeyOf } from 'nestjs-cache-observability';

/** The whole key of one search: the handler fills it from the query, warming from the term. */
export const SEARCH_KEY = 'search:{query.q}';

export const searchKey = (term: string): string => cacheKeyOf(SEARCH_KEY, { query: { q: term } });
