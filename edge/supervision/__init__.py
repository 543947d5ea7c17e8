"""What is wrong with the store's own things - kiosks, cameras, paths, clocks, disks - and who hears of it."""
