//! Plain tables for people: columns as wide as they need, numbers to the right.

use std::fmt::Write as _;

/// Where a column's text stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table being filled.
#[derive(Clone, Debug)]
pub struct Table {
    heads: Vec<(&'static str, Side)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(heads: &[(&'static str, Side)]) -> Self {
        Self { heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, each line ended, without spaces at line ends.
    pub fn text(&self) -> String {
        let cell = |row: &'_ Vec<String>, i: usize| row.get(i).map_or(0, |c| c.chars().count());
        let widths: Vec<usize> = (self.heads.iter().enumerate())
            .map(|(i, (head, _))| {
                self.rows.iter().map(|r| cell(r, i)).max().unwrap_or(0).max(head.chars().count())
            })
            .collect();
        let heads: Vec<String> = self.heads.iter().map(|(head, _)| (*head).to_owned()).collect();
        let mut text = String::new();
        for row in std::iter::once(&heads).chain(&self.rows) {
            let mut line = String::new();
            for (i, ((_, side), width)) in self.heads.iter().zip(&widths).enumerate() {
                let cell = row.get(i).map_or("", String::as_str);
                let gap = if i == 0 { "" } else { "  " };
                let _ = match side {
                    Side::Left => write!(line, "{gap}{cell:<width$}"),
                    Side::Right => write!(line, "{gap}{cell:>width$}"),
                };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Bytes for people: `1.2 MB`.
pub fn amount(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(&[("rung", Side::Left), ("kbit/s", Side::Right), ("state", Side::Left)]);
        table.row(["1080p".to_owned(), "4500".to_owned(), "live".to_owned()]);
        table.row(["tür".to_owned(), "7".to_owned()]);
        assert_eq!(table.text(), "rung   kbit/s  state\n1080p    4500  live\ntür         7\n");
        assert!(!table.is_empty());
    }

    #[test]
    fn amounts_are_short() {
        let all = [0, 999, 1_000, 1_234_567, 5_000_000_000].map(amount);
        assert_eq!(all, ["0 B", "999 B", "1.0 kB", "1.2 MB", "5.00 GB"]);
    }
}
