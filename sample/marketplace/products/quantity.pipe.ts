import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';

const MOST = 10;

/** How many somebody buys: 1 to 10, 1 where nothing is said. Anything else is a 400. */
@Injectable()
export class QuantityPipe implements PipeTransform<unknown, number> {
  transform(given: unknown): number {
    const quantity = given ?? 1;
    if (typeof quantity === 'number' && Number.isInteger(quantity) && quantity >= 1 && quantity <= MOST)
      return quantity;
    throw new BadRequestException(`quantity must be a whole number from 1 to ${MOST}.`);
  }
}
