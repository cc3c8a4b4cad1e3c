/**
 * Keeps the process alive until the returned function is called: all timers of the library are unref'd, so that it holds
 * nobody who does not wait for it; who does wait must not find the process gone.
 */
export function holdProcess(): () => void {
  const handle = setInterval(ignore, 2 ** 30)
  return () => clearInterval(handle)
}

function ignore(): void {}
