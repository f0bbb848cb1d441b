/** Who calls `new` on a class whose objects are made by a function is told which function. */

/** `given`, which only the package has to give; anybody else gets a TypeError that says `maker`. */
export function fromMaker<T>(given: T, is: boolean, maker: string): T {
  if (!is) throw new TypeError(`this is not made with new; call ${maker}`);
  return given;
}
