const NEAR_END = 48;

/** Keeps the end in view while the reader is at the end, and leaves a reader who scrolled up where they are. */
export function createScrollFollow(
  scroller: HTMLElement,
  { content, onChange }: { content: HTMLElement; onChange: (atEnd: boolean) => void },
) {
  let atEnd = true;

  const toEnd = (): void => {
    scroller.scrollTop = scroller.scrollHeight;
  };
  const setAtEnd = (next: boolean): void => {
    if (next === atEnd) return;
    atEnd = next;
    onChange(atEnd);
  };
  scroller.addEventListener(
    'scroll',
    () => setAtEnd(scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END),
    { passive: true },
  );
  const observer = new ResizeObserver(() => {
    if (atEnd && content.childElementCount > 0) toEnd();
  });
  observer.observe(content);
  observer.observe(scroller);

  return {
    /** Goes to the end and stays there. */
    follow(): void {
      setAtEnd(true);
      toEnd();
    },
    /** Goes to the start, where something else is shown. */
    reset(): void {
      setAtEnd(true);
      scroller.scrollTop = 0;
    },
  };
}
