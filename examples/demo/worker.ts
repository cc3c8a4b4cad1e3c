/**
 * A worker process: a `Reader`, started, asked and stopped by messages of its parent (`Fleet`).
 *
 * It leaves signals to its parent, who gets the same ctrl-C, and does not outlive it.
 */

import { Reader, type ReaderSettings, type Report } from './reader.ts'

export type ToWorker =
  | { readonly type: 'open'; readonly settings: ReaderSettings }
  | { readonly type: 'run' }
  | { readonly type: 'stop' }

export type FromWorker =
  | { readonly type: 'opened' }
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'closed' }
  | { readonly type: 'log'; readonly text: string }

const REPORT_INTERVAL = 250

let reader: Reader | undefined

process.on('SIGINT', () => {}).on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(1))
process.on('message', async (message: ToWorker) => {
  if (message.type === 'open') {
    reader = new Reader(message.settings, { info: log, warn: log, error: log })
    await reader.open()
    tell({ type: 'opened' })
  } else if (message.type === 'run') {
    reader?.run()
    setInterval(sendReport, REPORT_INTERVAL).unref()
  } else {
    await reader?.stop()
    await reader?.close()
    sendReport()
    tell({ type: 'closed' })
    // Nothing else keeps the process: it ends by itself.
    process.removeAllListeners('disconnect')
    process.disconnect?.()
  }
})

function sendReport(): void {
  if (reader !== undefined) tell({ type: 'report', report: reader.report() })
}

/** Console-like, for the cache to log to. */
function log(message: string, ...details: unknown[]): void {
  const reasons = details.map((detail) => (detail instanceof Error ? detail.message : String(detail)))
  tell({ type: 'log', text: [message, ...reasons].join(' ') })
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
