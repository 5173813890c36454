/** What the server takes, and its bound on the characters of a data URL. */
export const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const MAX_DATA_URL_LENGTH = 4_000_000;

const MAX_FILE_BYTES = 25_000_000;
/** Pixels; vision models scale larger images down themselves. */
const MAX_SIDE = 1600;
const JPEG_QUALITY = 0.85;

/** Why a file is not sent: it is no image of these types, or too large. */
export class ImageRefused extends Error {
  override readonly name = 'ImageRefused';
  readonly reason: 'type' | 'size';

  constructor(reason: 'type' | 'size') {
    super(reason);
    this.reason = reason;
  }
}

/**
 * The data URL of an image as it is sent: drawn anew as JPEG with at most 1600 pixels on a side, so that a photo of a
 * phone fits and its place and device stay behind. Throws ImageRefused.
 */
export async function readImage(file: File): Promise<string> {
  if (!IMAGE_TYPES.includes(file.type)) throw new ImageRefused('type');
  if (file.size > MAX_FILE_BYTES) throw new ImageRefused('size');
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new ImageRefused('type');
  });
  const url = draw(bitmap);
  bitmap.close();
  if (url.length > MAX_DATA_URL_LENGTH) throw new ImageRefused('size');
  return url;
}

function draw(bitmap: ImageBitmap): string {
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext('2d');
  if (context === null) throw new ImageRefused('size');
  // JPEG knows no transparency: what was transparent would be black.
  context.fillStyle = 'white';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/jpeg', JPEG_QUALITY);
}
