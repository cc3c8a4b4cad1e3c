import {
  CancelledError,
  type ErrorCode,
  InvalidQueryKeyError,
  type StackQueryError,
  type ValidationError,
} from 'stackquery'
import { equal } from './equal.ts'

declare const error: StackQueryError
equal<ErrorCode, typeof error.code>()
equal<Error, InstanceType<typeof Error>>()

// @ts-expect-error: the helper itself must tell types apart
equal<string, typeof error.code>()
// @ts-expect-error: any is not every type
equal<string, any>()

if (error.code === 'FETCH_TIMEOUT') error.message.length
// @ts-expect-error: a code that does not exist
if (error.code === 'FETCH_TIMED_OUT') error.message.length
// @ts-expect-error: a code is not for changing
error.code = 'CANCELLED'

const asBase: StackQueryError = new InvalidQueryKeyError('x')
// @ts-expect-error: the code is the class's own, not the caller's
new CancelledError('CANCELLED', 'x')
equal<readonly unknown[], ValidationError['issues']>()
