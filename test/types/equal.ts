/** Equality of types for the type tests: `equal<Expected, typeof value>()` compiles only where they are identical. */

type Identical<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ['not the same type', A, B]

export declare function equal<A, B>(...same: Identical<A, B>): void
