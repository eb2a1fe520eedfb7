#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tree to measure with: the same files each time it is made from the same seed.
#
#     tests/bench/make_tree.sh FOLDER [FILES [SEED [SMALLER]]]
#
# 8 files in a folder, folders a handful deep; sizes as in checked out sources (half below
# 1.3 KB, one in ten above 11 KB, one in a thousand above 250 KB; about 6.5 KB each).  The
# text is cut from what perl-base brings, so it looks like code to a scanner; one file in
# twenty is noise, of which every fourth byte is zero.  SMALLER divides all sizes: a million files that
# nobody has to wait for.
set -eu

folder=${1:?FOLDER}
files=${2:-100000}
seed=${3:-1}
smaller=${4:-1}
mkdir -p "$folder"

exec perl -e '
use strict;
my ($top, $files, $seed, $smaller) = @ARGV;
my $state = $seed * 2654435761 % 4294967296;
sub dice {
	$state = ($state * 1103515245 + 12345) % 4294967296;
	return ($state >> 8) / 16777216;
}

my @sources = sort(glob("/usr/share/common-licenses/*"),
	split(/\n/, `find /usr/lib/*/perl-base -name "*.p[lm]" -type f`));
my $text = "";
foreach my $name (@sources) {
	next if !-f $name || -l $name;
	open(my $in, "<", $name) or next;
	local $/;
	$text .= <$in>;
	last if length($text) > 8000000;
}
die "nothing to cut text from\n" if length($text) < 100000;
my $noise = "";
$noise .= pack("L", int(dice() * 4294967296)) for 1 .. 300000;

# The share of files up to a size; between two of these the size is drawn evenly.
my @sizes = ([0, 0], [0.05, 60], [0.5, 1300], [0.8, 5200], [0.9, 11000], [0.99, 45000],
	[0.999, 250000], [1, 1500000]);
sub size {
	my $at = dice();
	for my $i (1 .. $#sizes) {
		my ($from, $to) = ($sizes[$i - 1], $sizes[$i]);
		next if $at > $to->[0];
		return int(($from->[1] + ($at - $from->[0]) / ($to->[0] - $from->[0])
			* ($to->[1] - $from->[1])) / $smaller);
	}
	return 0;
}

my ($folder, $made, $bytes, %known) = ($top, 0, 0);
for my $i (0 .. $files - 1) {
	if ($i % 8 == 0) {
		my $n = $i / 8;
		my @parts;
		for (my $rest = $n; $rest > 0; $rest = int($rest / 9)) {
			unshift(@parts, sprintf("d%d", $rest % 9));
		}
		$folder = join("/", $top, @parts);
		my $path = "";
		for my $part (split(/\//, $folder)) {
			$path .= "$part/";
			next if $part eq "" || $known{$path}++;
			mkdir($path);
		}
	}
	my $len = size();
	my $pool = dice() < 0.05 ? \$noise : \$text;
	my $body = "file $i of $seed\n";
	while (length($body) < $len) {
		my $from = int(dice() * (length($$pool) - 4096));
		my $want = $len - length($body);
		my $most = 1024 + int(dice() * 200000);
		$body .= substr($$pool, $from, $want < $most ? $want : $most);
	}
	my $name = sprintf("%s/f%d.%s", $folder, $i, ("c", "h", "md", "txt", "json")[$i % 5]);
	open(my $out, ">", $name) or die "$name: $!\n";
	print $out $body;
	close($out) or die "$name: $!\n";
	$bytes += length($body);
}
printf("%d files, %d bytes, seed %d\n", $files, $bytes, $seed);
' "$folder" "$files" "$seed" "$smaller"
