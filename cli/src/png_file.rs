//! PNG files, as far as more of them is kept and checked than the `image` crate keeps and checks.

use std::borrow::Cow;
use std::io::{self, Cursor, Write};

use image::ColorType;
use png::chunk::ChunkType;

use crate::colours::{Chunk, Colours};

/// What every PNG begins with.
const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Chunks that say what levels mean, those of HDR among them.
const ABOUT_COLOURS: [&[u8; 4]; 7] = [b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI"];

/// The chunks about colours in a file, as they stand there.
pub fn colour_chunks(file: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut rest = file.strip_prefix(SIGNATURE).unwrap_or_default();
    while let Some((length, after)) =
        rest.split_first_chunk().map(|(length, after)| (u32::from_be_bytes(*length), after))
    {
        let Some((name, after)) = after.split_first_chunk() else { break };
        // Behind the data is its checksum.
        let Some((data, after)) = after.split_at_checked(length as usize) else { break };
        if ABOUT_COLOURS.contains(&name) {
            chunks.push(Chunk { name: *name, data: data.to_vec() });
        }
        rest = after.get(4..).unwrap_or_default();
    }
    chunks
}

/// Reads the whole file and all of its checksums, which decoders for viewing skip. What is damaged is an error; what is
/// whole and yet isn't all read is a warning.
pub fn check(file: &[u8], max_bytes: u64) -> Result<Option<String>, png::DecodingError> {
    let mut options = png::DecodeOptions::default();
    options.set_ignore_checksums(false);
    options.set_skip_ancillary_crc_failures(false);
    let mut decoder = png::Decoder::new_with_options(Cursor::new(file), options);
    decoder.set_limits(png::Limits { bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX) });
    let mut reader = decoder.read_info()?;
    while reader.next_row()?.is_some() {}
    reader.finish()?;
    let info = reader.info();
    if info.icc_profile.is_none() && colour_chunks(file).iter().any(|chunk| &chunk.name == b"iCCP") {
        return Ok(Some("its ICC profile cannot be unpacked, and is left as it is".into()));
    }
    Ok(info.animation_control.filter(|animation| animation.num_frames > 1).map(|animation| {
        format!("is an animation of {} frames: the picture that stands for it is read", animation.num_frames)
    }))
}

/// Encodes pixels, 16-bit ones in the machine's byte order, with what their levels mean.
pub fn write(
    bytes: &[u8],
    [width, height]: [u32; 2],
    color: ColorType,
    colours: &Colours,
    writer: &mut (impl Write + ?Sized),
) -> io::Result<()> {
    let mut info = png::Info::with_size(width, height);
    // Of a PNG, the chunk is written as it was, with the profile's name.
    if colours.chunks.is_empty() {
        info.icc_profile = colours.icc_profile.as_deref().map(Cow::Borrowed);
    }
    let mut encoder = png::Encoder::with_info(writer, info)?;
    encoder.set_color(match (color.has_color(), color.has_alpha()) {
        (false, false) => png::ColorType::Grayscale,
        (false, true) => png::ColorType::GrayscaleAlpha,
        (true, false) => png::ColorType::Rgb,
        (true, true) => png::ColorType::Rgba,
    });
    let wide = color.bytes_per_pixel() > color.channel_count();
    encoder.set_depth(if wide { png::BitDepth::Sixteen } else { png::BitDepth::Eight });
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Adaptive);
    let mut writer = encoder.write_header()?;
    for chunk in &colours.chunks {
        writer.write_chunk(ChunkType(chunk.name), &chunk.data)?;
    }
    let swapped: Vec<u8>;
    let bytes = if wide && cfg!(target_endian = "little") {
        swapped = bytes.chunks_exact(2).flat_map(|sample| [sample[1], sample[0]]).collect();
        &swapped
    } else {
        bytes
    };
    writer.write_image_data(bytes)?;
    Ok(writer.finish()?)
}
