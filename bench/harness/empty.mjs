/** Nothing: what an import costs by itself. */
export const nothing = 1
