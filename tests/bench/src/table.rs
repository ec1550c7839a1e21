//! Rows of the result and how they are shown.

/// One measure of one script.
pub struct Row {
    /// What was run.
    pub name: &'static str,
    /// What was measured: `wall`, `CPU`, `peak RSS`, `ns/event`.
    pub measure: &'static str,
    /// lt's median divided by the peer's.
    pub ratio: f64,
    /// The largest ratio allowed; none for a row that only informs.
    pub budget: Option<f64>,
}

impl Row {
    /// Whether the budget, if there is one, is kept. A ratio that is no number keeps none.
    pub fn kept(&self) -> bool {
        self.budget.is_none_or(|budget| self.ratio <= budget)
    }

    fn verdict(&self) -> &'static str {
        match (self.budget, self.kept()) {
            (None, _) => "",
            (Some(_), true) => "ok",
            (Some(_), false) => "OVER",
        }
    }
}

/// Prints a heading and one line for each row.
pub fn print(rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    println!("{:width$}  {:9} {:>9} {:>7}  verdict", "lt / bpftrace", "measure", "ratio", "budget");
    for row in rows {
        let budget = row.budget.map_or("-".to_owned(), |budget| format!("{budget:.2}"));
        let line =
            format!("{:width$}  {:9} {:>9.3} {:>7}  {}", row.name, row.measure, row.ratio, budget, row.verdict());
        println!("{}", line.trim_end());
    }
    println!();
}

/// The median (of an even number, the upper of the two in the middle).
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 2)
}

/// The value that one part in `parts` of all lies below.
pub fn quantile(values: impl IntoIterator<Item = f64>, parts: usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / parts).copied().unwrap_or(f64::NAN)
}
