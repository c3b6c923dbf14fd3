//! The chart of a comparison: where each run ended, and how the poolings got there.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::comparison::Group;
use crate::statistics::Spread;

type Panel<'a> = DrawingArea<SVGBackend<'a>, Shift>;

const SIZE: (u32, u32) = (1000, 420);
/// As many as there are poolings.
const COLORS: [RGBColor; 3] = [RGBColor(46, 110, 166), RGBColor(217, 119, 66), RGBColor(110, 110, 110)];
const FONT: (&str, u32) = ("sans-serif", 14);

/// The chart, as SVG.
pub fn draw(groups: &[Group]) -> Result<String, Box<dyn Error>> {
    let mut drawing = String::new();
    {
        let root = SVGBackend::with_string(&mut drawing, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 / 2);
        accuracies(&left, groups)?;
        losses(&right, groups)?;
        root.present()?;
    }
    Ok(drawing)
}

/// A dot for each run's test accuracy, and beside them their mean and one standard deviation up and down.
fn accuracies(panel: &Panel<'_>, groups: &[Group]) -> Result<(), Box<dyn Error>> {
    let ends = groups.iter().flat_map(|group| {
        let Spread { mean, deviation } = group.test_accuracy;
        let runs = group.runs.iter().map(|run| f64::from(run.outcome().test_accuracy));
        runs.chain([mean - deviation, mean + deviation])
    });
    let (low, high) = range(ends);
    let mut chart = ChartBuilder::on(panel)
        .caption("Test accuracy of each seed, and mean ± deviation, %", FONT)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(-0.5..groups.len() as f64 - 0.5, low..high)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(2 * groups.len() + 1)
        .x_label_formatter(&|&x| {
            let group = groups.iter().enumerate().find(|&(index, _)| (x - index as f64).abs() < 0.01);
            group.map_or_else(String::new, |(_, group)| group.pooling.to_owned())
        })
        .x_label_style(FONT)
        .y_label_style(FONT)
        .draw()?;
    for (index, (group, color)) in groups.iter().zip(COLORS).enumerate() {
        let x = index as f64;
        let Spread { mean, deviation } = group.test_accuracy;
        let runs = group
            .runs
            .iter()
            .map(|run| Circle::new((x - 0.1, f64::from(run.outcome().test_accuracy)), 4, color.mix(0.7).filled()));
        chart.draw_series(runs)?;
        let bar = [(x + 0.1, mean - deviation), (x + 0.1, mean + deviation)];
        chart.draw_series(LineSeries::new(bar, color.stroke_width(2)))?;
        chart.draw_series([Circle::new((x + 0.1, mean), 6, color.filled())])?;
        chart.draw_series([Text::new(format!("{mean:.2}"), (x + 0.15, mean), FONT)])?;
    }
    Ok(())
}

/// The mean test loss after each epoch.
fn losses(panel: &Panel<'_>, groups: &[Group]) -> Result<(), Box<dyn Error>> {
    let curve = |group: &Group| -> Vec<(f64, f64)> {
        let epochs = group.runs.iter().map(|run| run.epochs.len()).min().unwrap_or(0);
        let mean = |epoch: usize| {
            let losses: Vec<f64> = group.runs.iter().map(|run| run.epochs[epoch].test_loss.into()).collect();
            Spread::of(&losses).mean
        };
        (0..epochs).map(|epoch| ((epoch + 1) as f64, mean(epoch))).collect()
    };
    let curves: Vec<_> = groups.iter().map(curve).collect();
    let (low, high) = range(curves.iter().flatten().map(|&(_, loss)| loss));
    let last = curves.iter().map(Vec::len).max().unwrap_or(1);
    let mut chart = ChartBuilder::on(panel)
        .caption("Test loss after each epoch, mean over the seeds", FONT)
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.8..last as f64 + 0.2, low..high)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_labels(last)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .x_desc("epoch")
        .x_label_style(FONT)
        .y_label_style(FONT)
        .draw()?;
    for ((group, curve), color) in groups.iter().zip(curves).zip(COLORS) {
        chart
            .draw_series(LineSeries::new(curve, color.stroke_width(2)).point_size(3))?
            .label(group.pooling)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], color.stroke_width(2)));
    }
    // Where losses that fall leave room.
    let corner = SeriesLabelPosition::UpperRight;
    let mut labels = chart.configure_series_labels();
    labels.position(corner).label_font(FONT).background_style(WHITE).border_style(BLACK.mix(0.3)).draw()?;
    Ok(())
}

/// From the least to the greatest, and some space.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    // One value alone has no extent.
    let space = ((high - low) * 0.1).max(1e-3 * high.abs()).max(1e-9);
    (low - space, high + space)
}
