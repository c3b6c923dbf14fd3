//! The picture of `softpool compare`: the original, the poolings enlarged to its size, and a crop of each.

use std::ops::Range;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use softpool::SoftPoolConfig;

use crate::arguments::Method;

const WIDTH: u32 = 1600;
const MARGIN: u32 = 40;
/// Between figures side by side.
const GUTTER: u32 = 40;
/// A third of the width.
const COLUMN: u32 = (WIDTH - 2 * MARGIN - 2 * GUTTER) / 3;
/// Two columns and the gutter between them.
const LARGE: u32 = 2 * COLUMN + GUTTER;
/// No figure is higher, so that a tall image doesn't make an endless picture.
const MAX_LARGE_HEIGHT: u32 = 1000;
const MAX_COLUMN_HEIGHT: u32 = 640;

/// Pixels of the original along a crop's side, about.
const CROP: usize = 60;
/// Windows along a crop's side at least, however large they are.
const MIN_CROP_WINDOWS: usize = 16;
/// A shape is no smaller than a crop's side divided by this.
const SHAPE_PARTS: usize = 12;
/// Pixels of the original between a crop and the image's edge, where there is room, so that all of its mark shows.
const CROP_MARGIN: usize = 8;

const BACKGROUND: Rgb<u8> = Rgb([255, 255, 255]);
const INK: Rgb<u8> = Rgb([31, 35, 40]);
const PALE_INK: Rgb<u8> = Rgb([89, 99, 110]);
/// Around each image, so that a white one ends somewhere.
const FRAME: Rgb<u8> = Rgb([208, 215, 222]);
const MARK: Rgb<u8> = Rgb([0, 110, 230]);

const REGULAR: &[u8] = include_bytes!("../assets/Roboto-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../assets/Roboto-Medium.ttf");

/// One pooling.
pub struct Panel {
    pub method: Method,
    pub pooled: RgbImage,
    /// `pooled` at the original's size.
    pub enlarged: RgbImage,
    /// None for an image without a single window of SSIM.
    pub ssim: Option<f64>,
    pub psnr: f64,
}

impl Panel {
    pub fn ssim_text(&self) -> String {
        self.ssim.map_or("-".into(), |ssim| format!("{ssim:.4}"))
    }

    pub fn psnr_text(&self) -> String {
        format!("{:.2}", self.psnr)
    }

    fn title(&self) -> &'static str {
        match self.method {
            Method::Soft => "Soft pooling",
            Method::Max => "Max pooling",
            Method::Avg => "Average pooling",
        }
    }
}

/// How an image was pooled, with the kernel as the stride.
pub struct Pooling<'a> {
    /// Height and width.
    pub kernel: [usize; 2],
    /// What else there is to say, after the sizes.
    pub remarks: String,
    /// Along the height and the width.
    pub cells: &'a [Cells; 2],
}

/// The pixels that the windows along an axis stand for: those of a cell beside those of the next.
#[derive(Clone, Copy)]
pub struct Cells {
    /// Pixels of a cell.
    pub size: usize,
    /// Twice the centre of the first window, from that of the first pixel.
    first_centre_twice: i64,
}

impl Cells {
    /// Those of a pooling whose stride is the kernel.
    pub fn of(config: &SoftPoolConfig, axis: usize) -> Self {
        let along = |values: Vec<usize>| i64::try_from(values[axis]).unwrap_or(i64::MAX);
        let (kernel, dilation, padding) = (along(config.kernel()), along(config.dilation()), along(config.padding()));
        Self { size: config.stride()[axis], first_centre_twice: dilation * (kernel - 1) - 2 * padding }
    }

    /// The position of the first window's centre.
    pub fn first_centre(&self) -> f64 {
        self.first_centre_twice as f64 / 2.0
    }

    /// The first pixel of a cell, which may lie outside of the image.
    fn start(&self, cell: usize) -> i64 {
        let size = self.size as i64;
        // A window of widely spaced taps has its cell amid them.
        (self.first_centre_twice - (size - 1)).div_euclid(2) + cell as i64 * size
    }

    /// Those of `cells` cells that lie wholly within `pixels` pixels, or the first one.
    fn whole(&self, cells: usize, pixels: usize) -> Range<usize> {
        let first = (0..cells).find(|&cell| self.start(cell) >= 0).unwrap_or(0);
        let end =
            (first..cells).rev().find(|&cell| self.start(cell + 1) <= pixels as i64).map_or(first, |last| last + 1);
        first..end.max(first + 1).min(cells.max(1))
    }

    /// The pixels of some cells, of `pixels` in all.
    fn pixels(&self, cells: &Range<usize>, pixels: usize) -> Range<usize> {
        let inside = |position: i64, least: usize| position.clamp(least as i64, pixels as i64) as usize;
        let start = inside(self.start(cells.start), 0).min(pixels - 1);
        start..inside(self.start(cells.end), start + 1)
    }
}

/// Draws the picture for the image called `name`.
pub fn draw(name: &str, original: &RgbImage, pooling: &Pooling<'_>, panels: &[Panel]) -> RgbImage {
    let fonts = Fonts::new();
    let kernel = pooling.kernel;
    let crop = Crop::busiest(original, pooling.cells, panels.first().map(|panel| &panel.pooled));
    let kernel_text = format!("kernel {}\u{d7}{}", kernel[0], kernel[1]);
    let figure = |image: &RgbImage, width, max_height, title: String, detail: String| {
        let (image, scale) = fit(image, width, max_height);
        Figure { image, mark: Some(crop.scaled(scale)), title, detail }
    };
    let crop_figure =
        |image: RgbImage, title: String, detail: String| Figure { image: crop.zoom(&image), mark: None, title, detail };

    let size = |image: &RgbImage| format!("{}\u{d7}{}", image.width(), image.height());
    let first_row = vec![
        figure(original, LARGE, MAX_LARGE_HEIGHT, "Original".into(), format!("{} pixels", size(original))),
        crop_figure(
            crop.of_original(original),
            "Original, marked crop".into(),
            format!("{}\u{d7}{} pixels", crop.width(), crop.height()),
        ),
    ];
    let poolings = panels.iter().map(|panel| {
        let detail =
            format!("{kernel_text}  \u{b7}  SSIM {}  \u{b7}  PSNR {} dB", panel.ssim_text(), panel.psnr_text());
        figure(&panel.enlarged, COLUMN, MAX_COLUMN_HEIGHT, panel.title().into(), detail)
    });
    let crops = panels.iter().map(|panel| {
        let image = crop.of_pooled(&panel.pooled);
        let detail = format!("{}\u{d7}{} pixels", image.width(), image.height());
        crop_figure(image, format!("{}, marked crop", panel.title()), detail)
    });
    let rows = [first_row, poolings.collect(), crops.collect()];

    let title = format!("Soft, max and average pooling, {kernel_text}");
    let pooled_size = panels.first().map(|panel| size(&panel.pooled)).unwrap_or_default();
    let remarks = &pooling.remarks;
    let subtitle = format!("{}: {} pixels pooled to {pooled_size}{remarks}", shorten(name), size(original));
    let notes = [
        "Stride as the kernel; soft pooling with beta 1 for values from 0 to 1. SSIM (luma, 11\u{d7}11 Gaussian window) \
         and PSNR (RGB) compare the pooled image, enlarged by bilinear",
        "interpolation as drawn in the second row, with the original. The crops show the pixels as they are.",
    ];
    compose(&fonts, &title, &subtitle, &rows, &notes)
}

/// A long file name with its middle left out, so that it fits its line.
fn shorten(name: &str) -> String {
    const MAX_CHARACTERS: usize = 80;
    let characters: Vec<char> = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match characters.len() {
        length if length > MAX_CHARACTERS => {
            let (start, end) = (&characters[..MAX_CHARACTERS / 2], &characters[length - MAX_CHARACTERS / 2..]);
            start.iter().chain(&['\u{2026}']).chain(end).collect()
        }
        _ => characters.iter().collect(),
    }
}

/// An image with a caption under it.
struct Figure {
    image: RgbImage,
    /// A rectangle on the image: columns and rows.
    mark: Option<[Range<i64>; 2]>,
    title: String,
    detail: String,
}

/// Distances down the page, in pixels.
const TITLE_SIZE: f32 = 44.0;
const SUBTITLE_SIZE: f32 = 25.0;
const CAPTION_SIZE: f32 = 27.0;
const DETAIL_SIZE: f32 = 22.0;
const NOTE_SIZE: f32 = 19.0;
const HEADER_HEIGHT: u32 = 112;
const CAPTION_HEIGHT: u32 = 72;
const ROW_GAP: u32 = 28;
const NOTE_LINE: u32 = 26;

fn compose(fonts: &Fonts, title: &str, subtitle: &str, rows: &[Vec<Figure>], notes: &[&str]) -> RgbImage {
    let row_height = |row: &Vec<Figure>| {
        row.iter().map(|figure| figure.image.height()).max().unwrap_or(0) + CAPTION_HEIGHT + ROW_GAP
    };
    let height = MARGIN
        + HEADER_HEIGHT
        + rows.iter().map(row_height).sum::<u32>()
        + NOTE_LINE * u32::try_from(notes.len()).unwrap_or(0)
        + MARGIN;
    let mut page = RgbImage::from_pixel(WIDTH, height, BACKGROUND);
    fonts.write(&mut page, &fonts.medium, TITLE_SIZE, INK, [MARGIN, MARGIN + 36], title);
    fonts.write(&mut page, &fonts.regular, SUBTITLE_SIZE, PALE_INK, [MARGIN, MARGIN + 78], subtitle);

    let mut top = MARGIN + HEADER_HEIGHT;
    for row in rows {
        // Two figures are a large one and a column, three are columns.
        let columns = [MARGIN, MARGIN + COLUMN + GUTTER, MARGIN + 2 * (COLUMN + GUTTER)];
        let lefts = if row.len() == 2 { [columns[0], columns[2], columns[2]] } else { columns };
        for (figure, left) in row.iter().zip(lefts) {
            let frame = RgbImage::from_pixel(figure.image.width() + 2, figure.image.height() + 2, FRAME);
            imageops::replace(&mut page, &frame, i64::from(left) - 1, i64::from(top) - 1);
            imageops::replace(&mut page, &figure.image, left.into(), top.into());
            if let Some(mark) = &figure.mark {
                draw_mark(&mut page, mark, [left, top], &figure.image);
            }
            let bottom = top + figure.image.height();
            fonts.write(&mut page, &fonts.medium, CAPTION_SIZE, INK, [left, bottom + 32], &figure.title);
            fonts.write(&mut page, &fonts.regular, DETAIL_SIZE, PALE_INK, [left, bottom + 60], &figure.detail);
        }
        top += row_height(row);
    }
    for note in notes {
        fonts.write(&mut page, &fonts.regular, NOTE_SIZE, PALE_INK, [MARGIN, top + 16], note);
        top += NOTE_LINE;
    }
    page
}

/// Draws a rectangle's outline around `mark`, with a white edge at both sides so that it shows on any ground, clipped
/// to the figure.
fn draw_mark(page: &mut RgbImage, mark: &[Range<i64>; 2], [left, top]: [u32; 2], figure: &RgbImage) {
    const EDGE: i64 = 1;
    const LINE: i64 = 3;
    for y in 0..i64::from(figure.height()) {
        for x in 0..i64::from(figure.width()) {
            // How far outside the marked rectangle, in the larger of both directions; the inside is 0 or less.
            let outside = |range: &Range<i64>, position: i64| (range.start - position).max(position - range.end + 1);
            let distance = outside(&mark[0], x).max(outside(&mark[1], y));
            let color = match distance {
                d if d > 0 && d <= EDGE => BACKGROUND,
                d if d > EDGE && d <= EDGE + LINE => MARK,
                d if d > EDGE + LINE && d <= 2 * EDGE + LINE => BACKGROUND,
                _ => continue,
            };
            page.put_pixel(left + x as u32, top + y as u32, color);
        }
    }
}

/// The image scaled into a box of that width and height, and the scale.
fn fit(image: &RgbImage, width: u32, height: u32) -> (RgbImage, f64) {
    let scale = (f64::from(width) / f64::from(image.width())).min(f64::from(height) / f64::from(image.height()));
    let size = |size: u32| ((f64::from(size) * scale).round() as u32).max(1);
    // Small images show their pixels.
    let filter = if scale >= 2.0 { FilterType::Nearest } else { FilterType::Lanczos3 };
    (imageops::resize(image, size(image.width()), size(image.height()), filter), scale)
}

/// A rectangle of the original made of whole windows' pixels.
struct Crop {
    columns: Range<usize>,
    rows: Range<usize>,
    /// The windows whose pixels they are.
    window_columns: Range<usize>,
    window_rows: Range<usize>,
}

impl Crop {
    /// The rectangle with the strongest edges of shapes, which show pooling better than grain does.
    fn busiest(original: &RgbImage, cells: &[Cells; 2], pooled: Option<&RgbImage>) -> Self {
        let (height, width) = (original.height() as usize, original.width() as usize);
        let [rows, columns] = cells;
        let windows = pooled.map_or([1, 1], |pooled| [pooled.height() as usize, pooled.width() as usize]);
        let (whole_rows, whole_columns) = (rows.whole(windows[0], height), columns.whole(windows[1], width));
        let count = |cells: &Cells, whole: &Range<usize>| (CROP / cells.size).max(MIN_CROP_WINDOWS).min(whole.len());
        let (row_count, column_count) = (count(rows, &whole_rows), count(columns, &whole_columns));
        // Steps of about a quarter crop.
        let starts = |cells: &Cells, whole: &Range<usize>, count: usize| {
            let margin = CROP_MARGIN.div_ceil(cells.size);
            let room = whole.len() - count;
            let starts = if room > 2 * margin { margin..=room - margin } else { 0..=room };
            let first = whole.start;
            starts.step_by((count / 4).max(1)).map(move |start| first + start)
        };
        let crop = |top: usize, left: usize| {
            let (window_rows, window_columns) = (top..top + row_count, left..left + column_count);
            Self {
                rows: rows.pixels(&window_rows, height),
                columns: columns.pixels(&window_columns, width),
                window_rows,
                window_columns,
            }
        };
        let first = crop(whole_rows.start, whole_columns.start);
        let longest = first.height().max(first.width());
        let changes = Changes::new(original, (longest / SHAPE_PARTS).max(1));
        let mut best = (f64::NEG_INFINITY, first);
        for top in starts(rows, &whole_rows, row_count) {
            for left in starts(columns, &whole_columns, column_count) {
                let crop = crop(top, left);
                let change = changes.within(&crop);
                if change > best.0 {
                    best = (change, crop);
                }
            }
        }
        best.1
    }

    fn width(&self) -> usize {
        self.columns.len()
    }

    fn height(&self) -> usize {
        self.rows.len()
    }

    fn of_original(&self, image: &RgbImage) -> RgbImage {
        part(image, &self.columns, &self.rows)
    }

    fn of_pooled(&self, image: &RgbImage) -> RgbImage {
        part(image, &self.window_columns, &self.window_rows)
    }

    /// A crop's image, of the original's or of pooled pixels, enlarged to a column so that its pixels show.
    fn zoom(&self, image: &RgbImage) -> RgbImage {
        let zoom = f64::from(COLUMN) / self.width().max(self.height()) as f64;
        let size = |size: usize| ((size as f64 * zoom).round() as u32).max(1);
        let (width, height) = (size(self.width()), size(self.height()));
        // Nearest neighbours alone make pixels of uneven size where the zoom is no whole number.
        let whole = |size: u32, pixels: u32| size.next_multiple_of(pixels);
        let (larger_width, larger_height) = (whole(width, image.width()), whole(height, image.height()));
        let larger = imageops::resize(image, larger_width, larger_height, FilterType::Nearest);
        imageops::resize(&larger, width, height, FilterType::Triangle)
    }

    /// The rectangle on the original scaled by `scale`.
    fn scaled(&self, scale: f64) -> [Range<i64>; 2] {
        [&self.columns, &self.rows].map(|range| {
            let scaled = |position: usize| (position as f64 * scale).round() as i64;
            scaled(range.start)..scaled(range.end)
        })
    }
}

/// A rectangle of an image.
fn part(image: &RgbImage, columns: &Range<usize>, rows: &Range<usize>) -> RgbImage {
    let pixels = |range: &Range<usize>| (range.start as u32, range.len() as u32);
    let ((left, width), (top, height)) = (pixels(columns), pixels(rows));
    imageops::crop_imm(image, left, top, width, height).to_image()
}

/// The squares of the differences of neighbouring cells, of `cell` pixels a side, summed over every rectangle from the
/// top left corner.
struct Changes {
    sums: Vec<f64>,
    width: usize,
    cell: usize,
}

impl Changes {
    fn new(image: &RgbImage, cell: usize) -> Self {
        let cells = |size: u32| size.div_ceil(cell as u32);
        let grey = imageops::grayscale(image);
        let grey = imageops::resize(&grey, cells(grey.width()), cells(grey.height()), FilterType::Triangle);
        let width = grey.width() as usize + 1;
        let mut sums = vec![0.0; width * (grey.height() as usize + 1)];
        for (x, y, pixel) in grey.enumerate_pixels() {
            let level = f64::from(pixel[0]);
            let before = |x: u32, y: u32| f64::from(grey.get_pixel(x, y)[0]);
            let change =
                (level - before(x.saturating_sub(1), y)).powi(2) + (level - before(x, y.saturating_sub(1))).powi(2);
            let place = (y as usize + 1) * width + x as usize + 1;
            sums[place] = change + sums[place - 1] + sums[place - width] - sums[place - width - 1];
        }
        Self { sums, width, cell }
    }

    fn within(&self, crop: &Crop) -> f64 {
        let sum = |x: usize, y: usize| self.sums[y / self.cell * self.width + x / self.cell];
        let (columns, rows) = (&crop.columns, &crop.rows);
        sum(columns.end, rows.end) - sum(columns.start, rows.end) - sum(columns.end, rows.start)
            + sum(columns.start, rows.start)
    }
}

struct Fonts {
    regular: FontRef<'static>,
    medium: FontRef<'static>,
}

impl Fonts {
    fn new() -> Self {
        let font = |file| FontRef::try_from_slice(file).expect("the font is part of the program");
        Self { regular: font(REGULAR), medium: font(MEDIUM) }
    }

    /// Writes a line of text with its baseline from `start`.
    fn write(
        &self,
        page: &mut RgbImage,
        font: &FontRef<'_>,
        size: f32,
        ink: Rgb<u8>,
        [left, baseline]: [u32; 2],
        text: &str,
    ) {
        let font = font.as_scaled(PxScale::from(size));
        let mut right = left as f32;
        let mut before = None;
        for character in text.chars() {
            let id = font.glyph_id(character);
            right += before.map_or(0.0, |before| font.kern(before, id));
            let glyph = id.with_scale_and_position(font.scale(), point(right, baseline as f32));
            right += font.h_advance(id);
            before = Some(id);
            let Some(outline) = font.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            outline.draw(|x, y, coverage| {
                let (x, y) = (bounds.min.x as i64 + i64::from(x), bounds.min.y as i64 + i64::from(y));
                // Text beyond the page is cut off.
                let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
                if let Some(pixel) = page.get_pixel_mut_checked(x, y) {
                    for (ground, ink) in pixel.0.iter_mut().zip(ink.0) {
                        let (from, to) = (f32::from(*ground), f32::from(ink));
                        *ground = (from + coverage.clamp(0.0, 1.0) * (to - from)).round() as u8;
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_lie_around_the_centres_of_their_windows() {
        for (kernel, padding, dilation, pixels, windows, whole, first_pixels) in [
            // Side by side from the edge.
            (3, 0, 1, 10, 3, 0..3, 0..3),
            // The first and the last window are half outside.
            (4, 2, 1, 12, 4, 1..3, 2..6),
            // Taps at 0, 2, 4 and 6, around 3.
            (4, 0, 2, 20, 4, 0..4, 1..5),
            // One pixel, one window that is larger.
            (3, 1, 1, 1, 1, 0..1, 0..1),
        ] {
            let config = SoftPoolConfig::builder([kernel, 1]).padding([padding, 0]).dilation([dilation, 1]).build();
            let cells = Cells::of(&config.unwrap(), 0);
            let what = format!("kernel {kernel}, padding {padding}, dilation {dilation} over {pixels}");
            assert_eq!(cells.whole(windows, pixels), whole, "{what}");
            assert_eq!(cells.pixels(&(whole.start..whole.start + 1), pixels), first_pixels, "{what}");
        }
    }
}
