import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

const LONGEST = 80;

/** What somebody searches for: 2 to 80 characters. Anything else is a 400. */
@Injectable()
export class SearchTerm implements PipeTransform<unknown, string> {
  transform(given: unknown): string {
    const term = typeof given === 'string' ? given.trim() : '';
    // NUL is the one character that PostgreSQL's text cannot hold.
    if (term.length >= 2 && term.length <= LONGEST && !term.includes('\0')) return term;
    throw new BadRequestException(`q must be a search term of 2 to ${LONGEST} characters, such as /search?q=lamp.`);
  }
}
