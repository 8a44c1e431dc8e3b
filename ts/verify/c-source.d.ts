/** C sources are part of the bundle as text: they are compiled on the machine that they measure. */
declare module "*.c" {
  const text: string;
  export default text;
}

declare module "*.h" {
  const text: string;
  export default text;
}
