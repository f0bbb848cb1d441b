/**
 * `object[3]` for objects that have elements, without a proxy around them.
 *
 * The proxy stands behind the prototypes, where only names end up that no object of the chain
 * knows: an index is looked up there, and a method never is.
 */

/** The index that a property's name is, or undefined: "3", not "03", "length" or a symbol. */
function indexOf(key: string | symbol): number | undefined {
  if (typeof key !== 'string' || !/^-?\d/.test(key)) return undefined;
  const index = Number(key);
  return String(index) === key ? index : undefined;
}

/** Gives the objects of a class elements, which `read` and `write` get and set. */
export function haveElements<T extends object, Element>(
  prototype: T,
  read: (object: T, index: number) => Element,
  write: (object: T, index: number, element: Element) => void,
): void {
  const behind: ProxyHandler<object> = {
    get(target, key, receiver: T) {
      const index = indexOf(key);
      return index === undefined ? Reflect.get(target, key, receiver) : read(receiver, index);
    },
    set(target, key, value: Element, receiver: T) {
      const index = indexOf(key);
      if (index === undefined) return Reflect.set(target, key, value, receiver);
      write(receiver, index, value);
      return true;
    },
  };
  Object.setPrototypeOf(prototype, new Proxy(Object.prototype, behind));
}
