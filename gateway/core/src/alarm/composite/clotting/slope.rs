//! The slope of a line through points that a few wild ones do not move: the median of the slopes of all pairs (Theil-Sen).

use crate::signal::median_of;

/// Points at most.
pub(super) const POINTS: usize = 72;

const PAIRS: usize = POINTS * (POINTS - 1) / 2;

/// With fewer points, four fifths, there is no slope.
const POINTS_MIN: usize = 58;

/// Change an hour through points of (age in seconds, value), newest first.
pub(super) fn slope(points: impl Iterator<Item = (f32, f32)>) -> Option<f32> {
    let mut taken = [(0.0, 0.0); POINTS];
    let mut count = 0;
    for point in points {
        let Some(place) = taken.get_mut(count) else { break };
        *place = point;
        count += 1;
    }
    let taken = taken.get(..count).filter(|taken| taken.len() >= POINTS_MIN)?;
    let mut slopes = [0.0; PAIRS];
    let mut pairs = 0;
    for (place, (age, value)) in taken.iter().enumerate() {
        for (older, before) in taken.iter().skip(place + 1) {
            let hours = (older - age) / 3_600.0;
            if hours > 0.0
                && let Some(slope) = slopes.get_mut(pairs)
            {
                *slope = (value - before) / hours;
                pairs += 1;
            }
        }
    }
    median_of(slopes.get_mut(..pairs)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_found_among_wild_points_and_too_few_are_none() {
        let points = (0..72_u8).map(|place| {
            let age = f32::from(place) * 300.0;
            // 0.9 an hour upwards, one point in nine far off.
            let wild = if place % 9 == 4 { 50.0 } else { 0.0 };
            (age, 20.0 - 0.9 * age / 3_600.0 + wild)
        });
        let found = slope(points.clone()).unwrap();
        assert!((found - 0.9).abs() < 0.05, "{found}");
        assert_eq!(slope(points.clone().take(57)), None);
        assert!(slope(points.take(58)).is_some());
    }
}
