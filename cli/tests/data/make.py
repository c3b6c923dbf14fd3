"""Makes the images in this folder: what Rust's encoders don't write. Run in it, with Pillow (made with version 12)."""

import math

from PIL import Image


def picture(phase, size=(40, 32)):
    image = Image.new("RGB", size)
    for y in range(size[1]):
        for x in range(size[0]):
            red, green = 127 + 120 * math.sin(0.35 * x + phase), 127 + 120 * math.cos(0.4 * y)
            image.putpixel((x, y), (int(red), int(green), (5 * x + 3 * y + int(20 * phase)) % 256))
    return image


first, second = picture(0), picture(1.5)
first.save("baseline.jpg", quality=85, subsampling=2)
first.save("progressive.jpg", quality=85, subsampling=2, progressive=True)
first.save("restart.jpg", quality=85, restart_marker_blocks=2)
first.convert("L").save("grey.jpg", quality=85)
first.save("lossy.webp", quality=80)
first.save("animated.webp", save_all=True, append_images=[second], duration=100, lossless=True)
first.save("animated.png", save_all=True, append_images=[second], duration=100)
first.quantize(32).save("animated.gif", save_all=True, append_images=[second.quantize(32)], duration=100)
picture(0, (20, 16)).save("pages.tif", save_all=True, append_images=[picture(1, (20, 16))], compression="tiff_lzw")
