export function chromiumPath(): string | undefined;
export function installChromium(): void;
