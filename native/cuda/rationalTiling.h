// How rational.cu shares a matrix among threads; read by rational.cc (host) and by rational.cu (device).
//
// Groups of the numerator and of the denominator are cut at each other's borders into pieces of equal width: the gcd
// of their widths. A block of threads takes a tile of columns, `tileVectors` vectors wide, which is either some whole
// pieces or a part of one, and rows of it, `rowsPerBlock` at a time. So a thread keeps its columns and their
// coefficients.
#pragma once

namespace katlab {

enum { kRationalThreads = 256 };

struct RationalTiling {
  long long rows;
  int columns;
  int pieces;          // in a row
  int pieceVectors;    // vectors of a piece
  int parts;           // tiles that share a piece, 1 where pieces are narrow
  int partVectors;     // vectors of a piece that a tile takes
  int piecesPerTile;   // 1 where parts > 1
  int tileVectors;     // piecesPerTile * partVectors
  int rowsPerBlock;    // tileVectors * rowsPerBlock <= kRationalThreads
  int numeratorWidth;  // columns of a group
  int denominatorWidth;
};

}  // namespace katlab
