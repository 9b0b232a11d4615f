import { BadRequestException, Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';

/** Largest value of PostgreSQL's `int`. */
const MOST = 2_147_483_647;

/** A whole number from 1, written in one way only: `7`, never `07`, `7.0` or `+7`. Anything else is a 400. */
@Injectable()
export class PositiveInteger implements PipeTransform<string | undefined, number> {
  constructor(
    private readonly byDefault?: number,
    private readonly most: number = MOST,
  ) {}

  transform(given: string | undefined, { data: name }: ArgumentMetadata): number {
    if (given === undefined && this.byDefault !== undefined) return this.byDefault;
    const value = typeof given === 'string' && /^[1-9]\d{0,9}$/.test(given) ? Number(given) : NaN;
    if (value <= this.most) return value;
    throw new BadRequestException(`${name} must be a whole number from 1 to ${this.most}.`);
  }
}
