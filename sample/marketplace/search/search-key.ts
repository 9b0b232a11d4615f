import { cacheKeyOf } from 'nestjs-cache-observability';

/** The key template of a search. The handler fills it from the query; warming fills it from a search term. */
export const SEARCH_KEY = 'search:{query.q}';

export const searchKey = (term: string): string => cacheKeyOf(SEARCH_KEY, { query: { q: term } });
