"""The store server: takes events in, pages people, keeps the log and shows it."""
