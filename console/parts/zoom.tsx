/** Sizes of a picture, in percent, that the buttons lead through. */
const SIZES = [25, 35, 50, 75, 100, 125, 150, 200];

/** The buttons that make a picture smaller and larger, and fit it in. */
export function Zoom({
  percent,
  set,
  fit,
}: {
  readonly percent: number;
  readonly set: (percent: number) => void;
  /** As large as there is room for. */
  readonly fit: () => void;
}) {
  const smaller = SIZES.findLast((one) => one < percent) ?? percent;
  const larger = SIZES.find((one) => one > percent) ?? percent;
  return (
    <div class="zoom" role="group" aria-label="Size of the picture">
      <button type="button" class="button tiny" aria-label="Smaller" onClick={() => set(smaller)}>
        −
      </button>
      <button type="button" class="button tiny number" aria-label={`${percent} %: to 100 %`} onClick={() => set(100)}>
        {percent} %
      </button>
      <button type="button" class="button tiny" aria-label="Larger" onClick={() => set(larger)}>
        +
      </button>
      <button type="button" class="button tiny" onClick={fit}>
        Fit
      </button>
    </div>
  );
}
