/**
 * Lets Node 20 run the sources as they are, in threads and child processes too:
 * `node --import ./test/typescript-loader.mjs file.ts`. Later versions of Node need no help.
 */
import { register } from 'node:module'

register('./typescript-hooks.mjs', import.meta.url)
