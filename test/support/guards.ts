import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';

/** Allows every request. */
@Injectable()
export class Open implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

/** Allows requests with a name in `X-Name`. */
@Injectable()
export class Named implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    if (headers['x-name'] === undefined) throw new ForbiddenException();
    return true;
  }
}
