import {
  BadRequestException,
  Body,
  Controller,
  createParamDecorator,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  type PipeTransform,
  Post,
  UnauthorizedException,
} from '@nestjs/common';
import { type Session, Sessions } from './sessions.js';

const NAME = /^[\p{L}\p{N} .'-]{1,40}$/u;
const TOKEN = /^[0-9a-f]{32}$/;

const visitorName: PipeTransform<unknown, string> = {
  transform(value) {
    if (typeof value === 'string' && NAME.test(value)) return value;
    throw new BadRequestException('visitor must be a name of at most 40 characters.');
  },
};

/** The header `x-session`; 401 where it has not the form of a token, so that nothing else is looked up. */
const SessionToken = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
  const token = headers['x-session'];
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw new UnauthorizedException('x-session must be the token of a session.');
});

/** Sign in, ask who is signed in, sign out. The answers are not cached; the sessions behind them are. */
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: Sessions) {}

  @Post()
  async open(@Body('visitor', visitorName) visitor: string): Promise<{ token: string }> {
    return { token: await this.sessions.open(visitor) };
  }

  @Get('current')
  async current(@SessionToken() token: string): Promise<Session> {
    const session = await this.sessions.find(token);
    if (session === null) throw new UnauthorizedException('This session has ended.');
    return session;
  }

  @Delete('current')
  @HttpCode(204)
  end(@SessionToken() token: string): Promise<void> {
    return this.sessions.end(token);
  }
}
