/** The port to logging: console-like, so that any pino or winston instance fits. Interfaces only. */

export interface Logger {
  debug?(message: string, ...details: unknown[]): unknown
  info?(message: string, ...details: unknown[]): unknown
  warn(message: string, ...details: unknown[]): unknown
  error(message: string, ...details: unknown[]): unknown
}
